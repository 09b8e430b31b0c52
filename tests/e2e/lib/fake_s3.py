"""A store that speaks as much S3 as uploads need, and answers as a test wants: it counts, waits and refuses."""

import http.server
import threading
import urllib.parse


class Store:
    """One bucket in memory. refuse: path fragment -> (status, code, message), gate: parts wait for it."""

    def __init__(self):
        self.objects, self.uploads, self.requests = {}, {}, []
        self.refuse = {}
        self.fails = 0 # so many next requests get 503
        self.gate = threading.Event()
        self.gate.set()
        self.lock = threading.Lock()
        store = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """Requests of one connection."""
            protocol_version = "HTTP/1.1"

            def answer(self, status, body=b"", **headers):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_): # pylint: disable=arguments-differ
                pass

            def handle_any(self):
                data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                path, _, query = self.path.partition("?")
                args = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
                store.serve(self, path, args, data)

            do_GET = do_PUT = do_POST = do_DELETE = handle_any

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def serve(self, handler, path, args, data):
        """One request."""
        with self.lock:
            self.requests.append((handler.command, path, args, dict(handler.headers.items())))
            failing = self.fails > 0
            self.fails -= failing
        if failing:
            handler.answer(503, b"<Error><Code>SlowDown</Code><Message>later</Message></Error>")
            return
        for fragment, (status, code, message) in self.refuse.items():
            if fragment in handler.path:
                text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
                handler.answer(status, text.encode())
                return
        if args.get("Action") == "AssumeRole":
            handler.answer(200, b"<AssumeRoleResponse><Credentials><AccessKeyId>ROLE</AccessKeyId><SecretAccessKey>"
                           b"secret</SecretAccessKey><SessionToken>a token&amp;more</SessionToken></Credentials>"
                           b"</AssumeRoleResponse>")
        elif "uploads" in args:
            with self.lock:
                upload = f"id/{len(self.uploads)}+="
                self.uploads[upload] = {}
            handler.answer(200, f"<R><UploadId>{upload}</UploadId></R>".encode())
        elif handler.command == "PUT" and "uploadId" in args:
            self.gate.wait()
            self.uploads[args["uploadId"]][int(args["partNumber"])] = data
            handler.answer(200, ETag=f'"{args["partNumber"]}"')
        elif handler.command == "PUT":
            self.objects[path] = data
            handler.answer(200, ETag='"whole"')
        elif handler.command == "POST":
            parts = self.uploads.pop(args["uploadId"])
            self.objects[path] = b"".join(parts[i] for i in sorted(parts))
            handler.answer(200, b"<CompleteMultipartUploadResult/>")
        else:
            self.uploads.pop(args["uploadId"], None)
            handler.answer(204)
