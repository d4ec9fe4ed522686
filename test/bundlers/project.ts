import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const repository = fileURLToPath(new URL("../..", import.meta.url));

/** A folder outside the repository that has the packed package and the tools installed, as somebody else's project would. */
export interface Project {
  readonly folder: string;
  readonly tarball: string;
  /** Runs a command in the project; what it prints. Fails with all that it printed. */
  run(command: string, ...args: string[]): Promise<string>;
  /** The path of a command that a tool's package brings, or undefined where it could not be installed. */
  bin(name: string): string | undefined;
  remove(): void;
}

/** Packs the package as it is built, and installs it with the tools of tools.json in a new folder. */
export async function makeProject(): Promise<Project> {
  const folder = mkdtempSync(join(tmpdir(), "thimble-bundlers-"));
  // Not the test runner's: tools build differently under it.
  const env = { ...process.env, NODE_ENV: undefined, NODE_OPTIONS: undefined, VITEST: undefined };
  const run = async (command: string, ...args: string[]): Promise<string> => {
    try {
      const { stdout } = await promisify(execFile)(command, args, { cwd: folder, env, timeout: 240_000 });
      return stdout;
    } catch (error) {
      const { stdout, stderr, message } = error as Error & { stdout?: string; stderr?: string };
      throw new Error([message, stdout, stderr].join("\n"), { cause: error });
    }
  };
  const tarball = join(folder, "thimble.tgz");
  // The build is there; scripts of the package would make it again.
  const packed = await run("npm", "pack", repository, "--ignore-scripts", "--silent");
  renameSync(join(folder, packed.trim()), tarball);
  cpSync(new URL("app", import.meta.url), folder, { recursive: true });
  const tools = JSON.parse(readFileSync(new URL("tools.json", import.meta.url), "utf8")) as {
    dependencies: Record<string, string>;
  };
  tools.dependencies["thimble"] = "file:./thimble.tgz";
  writeFileSync(join(folder, "package.json"), JSON.stringify(tools));
  await run("npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error");
  return {
    folder,
    tarball,
    run,
    bin: (name) => {
      const path = join(folder, "node_modules/.bin", name);
      return existsSync(path) ? path : undefined;
    },
    remove: () => {
      rmSync(folder, { recursive: true });
    },
  };
}
