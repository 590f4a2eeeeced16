// Package icons holds the pictures that programs draw: line icons of the Lucide set (ISC, svg/LICENSE), all with one stroke
// width, and the product's own icon. They are embedded, know no toolkit and carry no colour: whoever draws one asks for the
// colour.
package icons

import (
	"bytes"
	"embed"
	"fmt"
)

// Name is a line icon's name.
type Name string

//go:embed svg/*.svg
var files embed.FS

const currentColor = "currentColor"

// SVG gives the icon's drawing, 24 by 24, its strokes in "currentColor". It panics for a name that is not a constant of this
// package.
func SVG(name Name) []byte {
	text, err := files.ReadFile("svg/" + string(name) + ".svg")
	if err != nil {
		panic(fmt.Sprintf("icons: no icon %q", name))
	}
	return text
}

// Colored gives the icon's drawing with its strokes in the colour, which is written as SVG writes colours: "#3257e8".
func Colored(name Name, color string) []byte {
	return bytes.ReplaceAll(SVG(name), []byte(currentColor), []byte(color))
}
