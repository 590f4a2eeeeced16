package wsconn_test

import (
	"io"
	"log"
)

// quiet swallows what a server under test says about hostile clients.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
