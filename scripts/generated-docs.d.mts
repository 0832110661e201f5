import type { Command } from 'commander';
import type { DriverMeaning } from '../src/core/driver-state.js';
import type { Setting } from '../src/core/settings.js';

export function usageOf(program: Command): string;
export function settingsTable(settings: readonly Setting[]): string;
export function situationsTable(
  situations: Readonly<
    Record<string, { readonly meaning: string; readonly isHealthy: boolean; readonly whatToDo: string }>
  >,
): string;
export function driverStatesTable(meanings: Readonly<Record<string, DriverMeaning>>): string;
export function envExample(settings: readonly Setting[]): string;
export function betweenMarkers(document: string, name: string): { text: string; from: number; to: number };
export function replaceBetweenMarkers(document: string, name: string, text: string): string;
