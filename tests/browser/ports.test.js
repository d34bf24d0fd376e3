// @ts-check
/** Every port that `cargo run` opens refuses what a web page of somebody else can send to it. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { request } from "node:http";
import { after, before, test } from "node:test";
import { Stack } from "./stack.js";

/** @type {Stack} */
let stack;

before(async () => {
  stack = await Stack.start({ BASE_URL: "https://tunnel.example.com" });
});

after(async () => {
  await stack?.stop();
});

/** The processes of a group. @param {number} group */
function processesOfGroup(group) {
  const lines = execFileSync("ps", ["-Ao", "pid=,pgid="], { encoding: "utf8" }).trim().split("\n");
  const pairs = lines.map((line) => line.trim().split(/\s+/).map(Number));
  return pairs.filter(([, its]) => its === group).map(([pid]) => pid);
}

/** The ports that a process listens on. @param {number} pid */
function portsOf(pid) {
  if (process.platform !== "linux") {
    const output = execFileSync("lsof", ["-nP", "-a", "-p", String(pid), "-iTCP", "-sTCP:LISTEN", "-Fn"]);
    return [...output.toString().matchAll(/:(\d+)$/gm)].map(([, port]) => Number(port));
  }
  const files = readdirSync(`/proc/${pid}/fd`).map((file) => readlinkSync(`/proc/${pid}/fd/${file}`));
  const sockets = new Set(files.map((file) => file.match(/^socket:\[(\d+)\]$/)?.[1]));
  return ["tcp", "tcp6"].flatMap((family) => {
    const rows = readFileSync(`/proc/net/${family}`, "utf8").trim().split("\n").slice(1);
    const fields = rows.map((row) => row.trim().split(/\s+/));
    const listeners = fields.filter(([, , , state, , , , , , inode]) => state === "0A" && sockets.has(inode));
    return listeners.map(([, local]) => parseInt(local.split(":").pop() ?? "", 16));
  });
}

/**
 * @param {number} port
 * @param {string} method
 * @param {string} path
 * @param {Record<string, string>} headers
 * @param {string} [body]
 * @returns {Promise<{ status: number, allowed: string | undefined }>}
 */
function send(port, method, path, headers, body) {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: "127.0.0.1", port, method, path, headers }, (answer) => {
      answer.resume();
      const allowed = answer.headers["access-control-allow-origin"];
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, allowed }));
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

const CALLS = [
  ["GET", "/", ""],
  ["GET", "/api/v1/health", ""],
  ["POST", "/dev/token", '{"sub":"eve","admin":true}'],
  ["GET", "/dev/events", ""],
  ["POST", "/", '{"TableName":"pinwright-main"}'],
  ["POST", "/oauth/", "decision=allow"],
  ["GET", "/sim/calls", ""],
  ["POST", "/sim/faults", "{}"],
];

test("no port answers a request that names another host", async () => {
  const ports = processesOfGroup(stack.process.pid ?? 0).flatMap(portsOf);
  assert.ok(ports.length >= 4, `the API, Pinterest and two of AWS: ${ports}`);
  for (const port of ports) {
    for (const [method, path, body] of CALLS) {
      for (const host of ["evil.example", `evil.example:${port}`, "127.0.0.1.evil.example"]) {
        const headers = {
          Host: host,
          Origin: "https://evil.example",
          "Content-Type": "application/json",
          "X-Amz-Target": "DynamoDB_20120810.Scan",
        };
        const answer = await send(port, method, path, headers, body);
        assert.ok(answer.status >= 400, `${port} ${method} ${path} for ${host}: ${answer.status}`);
        assert.equal(answer.allowed, undefined, `${port} ${method} ${path} for ${host}`);
      }
    }
  }
});

test("no port lets another origin read, or send what needs its consent", async () => {
  for (const port of processesOfGroup(stack.process.pid ?? 0).flatMap(portsOf)) {
    for (const [method, path] of CALLS) {
      const headers = {
        Host: `127.0.0.1:${port}`,
        Origin: "https://evil.example",
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "x-amz-target,content-type,authorization",
      };
      assert.equal((await send(port, "OPTIONS", path, headers)).allowed, undefined, `${port} ${path}`);
      const { allowed } = await send(port, "GET", path, headers);
      assert.equal(allowed, undefined, `${port} ${path}`);
    }
  }
});

test("no port of AWS answers without the secret of this run", async () => {
  let refused = 0;
  for (const port of processesOfGroup(stack.process.pid ?? 0).flatMap(portsOf)) {
    for (const operation of [
      "DynamoDB_20120810.Scan",
      "secretsmanager.GetSecretValue",
      "AWSEvents.PutEvents",
    ]) {
      const scope = `${new Date().toISOString().slice(0, 10).replaceAll("-", "")}/us-east-1/dynamodb/aws4_request`;
      for (const authorization of [
        "",
        `AWS4-HMAC-SHA256 Credential=local/${scope}, SignedHeaders=host, Signature=${"0".repeat(64)}`,
      ]) {
        const headers = {
          Host: `127.0.0.1:${port}`,
          "Content-Type": "application/x-amz-json-1.0",
          "X-Amz-Target": operation,
          "X-Amz-Date": `${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, "")}`,
          ...(authorization && { Authorization: authorization }),
        };
        const { status } = await send(port, "POST", "/", headers, '{"TableName":"pinwright-main"}');
        assert.ok(status >= 400, `${port} ${operation}: ${status}`);
        refused += 1;
      }
    }
  }
  assert.ok(refused >= 4 * 6, `${refused}`);
});

test("the public name of the stack gets no development token", async () => {
  const port = Number(new URL(stack.url).port);
  const tunnel = { Host: "tunnel.example.com", "Content-Type": "application/json" };
  assert.equal((await send(port, "GET", "/api/v1/health", tunnel)).status, 200);
  for (const [method, path, body] of CALLS.filter(([, path]) => path.startsWith("/dev/"))) {
    assert.equal((await send(port, method, path, tunnel, body)).status, 403, path);
  }
  const advance = await send(port, "POST", "/dev/advance", tunnel, '{"seconds":60}');
  assert.equal(advance.status, 403);
});
