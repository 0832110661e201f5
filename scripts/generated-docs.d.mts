import type { Command } from 'commander';
import type { Setting } from '../src/core/settings.js';

export function usageOf(program: Command): string;
export function settingsTable(settings: readonly Setting[]): string;
export function envExample(settings: readonly Setting[]): string;
export function betweenMarkers(document: string, name: string): { text: string; from: number; to: number };
export function replaceBetweenMarkers(document: string, name: string, text: string): string;
