// node icon.mjs: draws media/icon.png from media/activity.svg.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { EXTENSION } from './world.mjs';

const svg = readFileSync(join(EXTENSION, 'media/activity.svg'), 'utf8');
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
const page = await browser.newPage({ viewport: { width: 128, height: 128 } });
await page.setContent(`<body style="margin:0;display:grid;place-items:center;height:100vh;color:#e8f1ff;
  background:linear-gradient(160deg,#1d4f91,#0b2447)"><style>svg{width:92px}</style>${svg}</body>`);
await page.screenshot({ path: join(EXTENSION, 'media/icon.png') });
await browser.close();
