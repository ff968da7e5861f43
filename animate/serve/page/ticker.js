onmessage = (event) => setInterval(() => postMessage(0), event.data);
