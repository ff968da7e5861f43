// How the page asks the server, and says what went wrong.
export const $ = (id) => document.getElementById(id);

export async function ask(path, options) {
  const response = await fetch(path, options);
  if (!response.ok) {
    const answer = await response.json().catch(() => ({}));
    throw new Error(answer.fault ?? `the server answered ${response.status}`);
  }
  return response;
}

export function say(fault) {
  $("fault").hidden = !fault;
  $("fault").textContent = fault ?? "";
}

export function connection(path) {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const socket = new WebSocket(`${scheme}://${location.host}${path}`);
  socket.binaryType = "blob";
  return socket;
}

export function tell(socket, message) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

export function saveAs(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
