/** The control socket, at both ends. */
export { carryOut } from "./command.ts";
export { ControlSocket } from "./control-socket.ts";
export { controlPages } from "./pages.ts";
