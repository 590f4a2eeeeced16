package logview

import (
	"encoding/binary"
	"image"
	"math"
)

// rgb is an opaque colour.
type rgb struct{ r, g, b uint8 }

// mix gives a with part (0 … 1) of b.
func mix(a, b rgb, part float64) rgb {
	m := func(x, y uint8) uint8 { return uint8(float64(x) + (float64(y)-float64(x))*part + 0.5) }
	return rgb{m(a.r, b.r), m(a.g, b.g), m(a.b, b.b)}
}

// fill paints the rectangle from x0, y0 to before x1, y1.
func fill(img *image.RGBA, x0, y0, x1, y1 int, c rgb) {
	b := img.Rect
	x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, b.Dx()), min(y1, b.Dy())
	if x0 >= x1 || y0 >= y1 {
		return
	}
	first := img.Pix[y0*img.Stride+4*x0 : y0*img.Stride+4*x1]
	first[0], first[1], first[2], first[3] = c.r, c.g, c.b, 0xff
	for n := 4; n < len(first); n *= 2 {
		copy(first[n:], first[:n])
	}
	for y := y0 + 1; y < y1; y++ {
		copy(img.Pix[y*img.Stride+4*x0:], first)
	}
}

// blend paints a rectangle in part (0 … 255) of a colour.
func blend(img *image.RGBA, x0, y0, x1, y1 int, c rgb, part uint32) {
	b := img.Rect
	x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, b.Dx()), min(y1, b.Dy())
	for y := y0; y < y1; y++ {
		row := img.Pix[y*img.Stride+4*x0:]
		for x := 0; x < 4*(x1-x0); x += 4 {
			over(row[x:x+4:x+4], c, part)
		}
	}
}

// over paints a (0 … 255) of a colour over a pixel.
func over(d []byte, c rgb, a uint32) {
	mixInto(d, uint32(c.r)|uint32(c.b)<<16, uint32(c.g), a)
}

// mixInto is over for a colour that is split into red with blue and green, so that one multiplication does for two.
func mixInto(d []byte, redBlue, green, a uint32) {
	a += a >> 7 // 0 … 256
	p := binary.LittleEndian.Uint32(d)
	rb := (p&0xff00ff)*(256-a) + redBlue*a
	g := (p>>8&0xff)*(256-a) + green*a
	binary.LittleEndian.PutUint32(d, rb>>8&0xff00ff|g&0xff00|0xff000000)
}

// bar paints an upright rounded bar.
func bar(img *image.RGBA, x0, y0, x1, y1 int, c rgb, part uint32) {
	r := float64(x1-x0) / 2
	for y := y0; y < y1; y++ {
		inset := 0.0
		if d := r - min(float64(y-y0)+0.5, float64(y1-y)-0.5); d > 0 {
			inset = r - math.Sqrt(max(r*r-d*d, 0))
		}
		n := int(inset)
		blend(img, x0+n+1, y, x1-n-1, y+1, c, part)
		edge := uint32(float64(part) * (1 - (inset - float64(n))))
		blend(img, x0+n, y, x0+n+1, y+1, c, edge)
		blend(img, x1-n-1, y, x1-n, y+1, c, edge)
	}
}

// round makes what is outside the picture's lower corners transparent.
func round(img *image.RGBA, r float64) {
	w, h, n := img.Rect.Dx(), img.Rect.Dy(), int(math.Ceil(r))
	if w < 2*n || h < n {
		return
	}
	for y := range n {
		for x := range n {
			d := math.Hypot(r-float64(x)-0.5, r-float64(y)-0.5) - r + 0.5 // how much of the pixel is outside
			if d <= 0 {
				continue
			}
			left := uint32(255 * (1 - min(d, 1)))
			for _, at := range [...]int{(h-1-y)*img.Stride + 4*x, (h-1-y)*img.Stride + 4*(w-1-x)} {
				for i := range 4 { // premultiplied
					img.Pix[at+i] = uint8(uint32(img.Pix[at+i]) * left / 255)
				}
			}
		}
	}
}

// glyph is a painted character. It is a mask that takes a colour, or has colours of its own.
type glyph struct {
	dx, dy int // from the top left of its cell
	w, h   int
	mask   []byte // w*h, nil for colours
	pix    []byte // 4*w*h premultiplied, nil for a mask
}

// draw paints g where the top left of its cell is x, y, between columns left and right of img.
func (g *glyph) draw(img *image.RGBA, x, y, left, right int, c rgb) {
	x, y = x+g.dx, y+g.dy
	x0, x1 := max(max(left, 0)-x, 0), min(min(right, img.Rect.Dx())-x, g.w)
	y0, y1 := max(-y, 0), min(img.Rect.Dy()-y, g.h)
	if x0 >= x1 {
		return
	}
	redBlue, green := uint32(c.r)|uint32(c.b)<<16, uint32(c.g)
	for row := y0; row < y1; row++ {
		at := (y+row)*img.Stride + 4*(x+x0)
		dst := img.Pix[at : at+4*(x1-x0)]
		if g.mask == nil {
			overlay(dst, g.pix[4*(row*g.w+x0):])
			continue
		}
		for i, a := range g.mask[row*g.w+x0 : row*g.w+x1] {
			if a != 0 {
				mixInto(dst[4*i:4*i+4], redBlue, green, uint32(a))
			}
		}
	}
}

// overlay paints premultiplied colours over dst.
func overlay(dst, src []byte) {
	for i := 0; i < len(dst); i += 4 {
		left := 255 - uint32(src[i+3])
		for j := range 3 {
			dst[i+j] = uint8(min(uint32(src[i+j])+uint32(dst[i+j])*left/255, 255))
		}
		dst[i+3] = 0xff
	}
}
