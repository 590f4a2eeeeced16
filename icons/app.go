package icons

import _ "embed"

// The product's own icon: a boat whose mast is held by a backstay, the rope that the product is named for. It is drawn in
// app/backstay.svg; the PNG files beside it, for installers and window systems, are made from that by rsvg-convert.

//go:embed app/backstay.svg
var app []byte

//go:embed app/backstay-256.png
var appPNG []byte

// App gives the product's icon as SVG, 512 by 512.
func App() []byte { return app }

// AppPNG gives the product's icon as PNG, 256 by 256.
func AppPNG() []byte { return appPNG }
