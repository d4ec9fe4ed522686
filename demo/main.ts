import { byId } from "./dom.ts";
import { startDigits } from "./digits.ts";
import { startExplorer } from "./explorer.ts";
import { startTheme } from "./theme.ts";

startTheme(byId("theme", HTMLButtonElement));
startDigits();
startExplorer();
