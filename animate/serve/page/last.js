// The last drawings, in this browser's own store: IndexedDB.
const MOST = 8;
const LARGEST = 16 << 20; // bytes of one

function store(mode, work) {
  return new Promise((done, failed) => {
    const opening = indexedDB.open("opentha", 1);
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore("drawings", { keyPath: "id", autoIncrement: true });
    };
    opening.onerror = () => failed(opening.error);
    opening.onsuccess = () => {
      const database = opening.result;
      const change = database.transaction("drawings", mode);
      const request = work(change.objectStore("drawings"));
      change.oncomplete = () => {
        database.close();
        done(request?.result);
      };
      change.onerror = change.onabort = () => failed(change.error);
    };
  });
}

export async function lastDrawings() {
  const all = await store("readonly", (drawings) => drawings.getAll()).catch(() => []);
  return all.reverse();
}

export const forget = (id) => store("readwrite", (drawings) => drawings.delete(id));

export async function remember(blob, name) {
  if (blob.size > LARGEST) return;
  const same = (await lastDrawings()).filter((one) => one.name === name && one.blob.size === blob.size);
  for (const { id } of same) await forget(id);
  const bytes = new Blob([await blob.arrayBuffer()], { type: blob.type });
  await store("readwrite", (drawings) => drawings.add({ blob: bytes, name }));
  for (const { id } of (await lastDrawings()).slice(MOST)) await forget(id);
}
