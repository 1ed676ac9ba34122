'use strict';
import def, { named as alias } from './mod.js';
import * as ns from "space";
export { thing } from './other.js';
const express = require('express');
const { one, two } = require('pair');

const LIMIT = 10;
let counter = 0, second = 1;

/** Adds. */
export const add = (a, b) => {
  const local = a + b;
  return helper(local, LIMIT);
};

export default function main() {
  function inner() { return new Store(counter); }
  return inner();
}

function* generate() { yield 1; }

class Store extends Base {
  static size = 3;
  #secret = 1;
  handler = () => this.get(1);
  constructor(path) { super(path); }
  async get(key) { return this.items[key]; }
  get length() { return ns.count(this); }
}

const Anonymous = class {
  run() {}
};

res.send = function send(body) { return body.length; };
Store.prototype.put = function (key) { return key; };
exports.version = '1.0';
module.exports = function boot() { return lazy(); };

const api = {
  list() { return []; },
  show: function (id) { return id; },
  edit: async (id) => id,
  plain: 3,
};

const view = <Widget title="x" onClick={add} />;
