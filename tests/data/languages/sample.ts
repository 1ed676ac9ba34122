import { Injectable } from '@angular/core';
import type { Row } from './row';
import legacy = require('legacy');

export interface Shape extends Base<Row> {
  name: string;
  area(scale: number): number;
}

export type Pair<T> = [T, T];

export enum Color { Red, Green = 2 }

export namespace Geometry {
  export const ORIGIN = 0;
  export function measure(shape: Shape): Pair<number> { return [shape.area(1), ORIGIN]; }
}

@Injectable()
export class Circle<T> implements Shape {
  static readonly unit: number = 1;
  private cache?: Map<string, T>;
  constructor(public name: string, private readonly radius: number) {}
  area(scale: number): number { return Math.PI * this.radius; }
  onClick = (event: MouseEvent): void => { this.area(2); };
  get diameter(): number { return 2 * this.radius; }
}

export abstract class Solid {
  abstract volume(): number;
}

declare function external(x: Row): void;
declare const VERSION: string;

export const make = <T,>(x: T): Circle<T> => new Circle<T>('a', 1);
export function overload(x: string): string;
export function overload(x: any) { return x; }
