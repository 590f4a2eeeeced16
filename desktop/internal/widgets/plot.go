package widgets

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"golang.org/x/image/vector"

	"github.com/backstay/backstay/desktop/internal/theme"
)

// plot is a picture of data that is painted anew when the data, the size or the theme is another, and only then.
type plot struct {
	part
	raster *canvas.Raster
	img    *image.RGBA
	draw   func(*pen)
}

func (p *plot) init(draw func(*pen)) {
	p.draw = draw
	p.raster = canvas.NewRaster(p.generate)
	p.objects = []fyne.CanvasObject{p.raster}
	p.layout = p.raster.Resize
}

// again paints the data that is there now.
func (p *plot) again() { p.raster.Refresh() }

func (p *plot) generate(w, h int) image.Image {
	if p.img == nil || p.img.Rect.Dx() != w || p.img.Rect.Dy() != h {
		p.img = image.NewRGBA(image.Rect(0, 0, w, h))
	} else {
		clear(p.img.Pix)
	}
	size := p.raster.Size()
	if w > 0 && h > 0 && size.Width > 0 {
		p.draw(&pen{img: p.img, scale: float32(w) / size.Width, width: size.Width, height: size.Height})
	}
	return p.img
}

// pen paints with soft edges, in the same units as layouts.
type pen struct {
	img           *image.RGBA
	scale         float32
	width, height float32
	path          vector.Rasterizer
	from          point // where the shape's own picture begins, in pixels
}

type point struct{ x, y float32 }

// begin starts a shape; fill paints all that was added since.
func (p *pen) begin() {
	p.from = point{}
	p.path.Reset(p.img.Rect.Dx(), p.img.Rect.Dy())
}

func (p *pen) fill(src image.Image) {
	p.path.DrawOp = draw.Over
	p.path.Draw(p.img, p.img.Rect, src, image.Point{})
}

func (p *pen) moveTo(q point) { p.path.MoveTo(q.x*p.scale-p.from.x, q.y*p.scale-p.from.y) }
func (p *pen) lineTo(q point) { p.path.LineTo(q.x*p.scale-p.from.x, q.y*p.scale-p.from.y) }

func (p *pen) cubeTo(a, b, c point) {
	s, x, y := p.scale, p.from.x, p.from.y
	p.path.CubeTo(a.x*s-x, a.y*s-y, b.x*s-x, b.y*s-y, c.x*s-x, c.y*s-y)
}

// snap moves a coordinate to the nearest whole pixel.
func (p *pen) snap(v float32) float32 {
	return float32(math.Round(float64(v*p.scale))) / p.scale
}

// bar adds a rectangle with rounded corners.
func (p *pen) bar(x, y, w, h, radius float32) {
	r := min(radius, w/2, h/2)
	k := r * 0.4477 // a quarter of a circle as a curve
	p.moveTo(point{x + r, y})
	p.lineTo(point{x + w - r, y})
	p.cubeTo(point{x + w - k, y}, point{x + w, y + k}, point{x + w, y + r})
	p.lineTo(point{x + w, y + h - r})
	p.cubeTo(point{x + w, y + h - k}, point{x + w - k, y + h}, point{x + w - r, y + h})
	p.lineTo(point{x + r, y + h})
	p.cubeTo(point{x + k, y + h}, point{x, y + h - k}, point{x, y + h - r})
	p.lineTo(point{x, y + r})
	p.cubeTo(point{x, y + k}, point{x + k, y}, point{x + r, y})
	p.path.ClosePath()
}

// fillBar is bar and fill of one bar alone. The rasteriser goes over no more pixels than the bar has.
func (p *pen) fillBar(x, y, w, h, radius float32, src image.Image) {
	down, up := func(v float32) int { return int(math.Floor(float64(v * p.scale))) }, func(v float32) int { return int(math.Ceil(float64(v * p.scale))) }
	box := image.Rect(down(x), down(y), up(x+w), up(y+h)).Intersect(p.img.Rect)
	if box.Empty() {
		return
	}
	p.path.Reset(box.Dx(), box.Dy())
	p.from = point{float32(box.Min.X), float32(box.Min.Y)}
	p.bar(x, y, w, h, radius)
	p.path.DrawOp = draw.Over
	p.path.Draw(p.img, box, src, image.Point{})
}

// rule paints a hairline across at y, as sharp as the screen allows.
func (p *pen) rule(y float32, c color.Color) {
	top := int(math.Round(float64(y * p.scale)))
	thick := max(int(p.scale+0.5), 1)
	if top+thick > p.img.Rect.Dy() {
		top = p.img.Rect.Dy() - thick
	}
	draw.Draw(p.img, image.Rect(0, top, p.img.Rect.Dx(), top+thick), image.NewUniform(c), image.Point{}, draw.Over)
}

// stroke paints a line along dense points.
func (p *pen) stroke(line []point, width float32, c color.Color) {
	if len(line) < 2 {
		return
	}
	half := width / 2
	normals := make([]point, len(line))
	for i := range line {
		a, b := line[max(i-1, 0)], line[min(i+1, len(line)-1)]
		dx, dy := b.x-a.x, b.y-a.y
		long := float32(math.Hypot(float64(dx), float64(dy)))
		if long == 0 {
			long = 1
		}
		normals[i] = point{-dy / long * half, dx / long * half}
	}
	p.begin()
	p.moveTo(point{line[0].x + normals[0].x, line[0].y + normals[0].y})
	for i := 1; i < len(line); i++ {
		p.lineTo(point{line[i].x + normals[i].x, line[i].y + normals[i].y})
	}
	for i := len(line) - 1; i >= 0; i-- {
		p.lineTo(point{line[i].x - normals[i].x, line[i].y - normals[i].y})
	}
	p.path.ClosePath()
	p.fill(image.NewUniform(c))
}

// below paints what is between a line and the bottom, fading downwards.
func (p *pen) below(line []point, c color.NRGBA, alpha float64) {
	if len(line) < 2 {
		return
	}
	top := p.height
	for _, q := range line {
		top = min(top, q.y)
	}
	p.begin()
	p.moveTo(point{line[0].x, p.height})
	for _, q := range line {
		p.lineTo(q)
	}
	p.lineTo(point{line[len(line)-1].x, p.height})
	p.path.ClosePath()
	p.fillFading(top*p.scale, p.height*p.scale, c, alpha)
}

// fillFading fills all that was added since begin with a colour that goes out from top to bottom, in pixels.
func (p *pen) fillFading(top, bottom float32, c color.NRGBA, alpha float64) {
	shape := image.NewAlpha(p.img.Rect) // the rasteriser is quick with this, and slow with a source that is asked for every pixel
	p.path.DrawOp = draw.Src
	p.path.Draw(shape, shape.Rect, image.Opaque, image.Point{})
	for y := shape.Rect.Min.Y; y < shape.Rect.Max.Y; y++ {
		left := 1 - (float64(y)-float64(top))/math.Max(float64(bottom-top), 1)
		strength := uint32(float64(c.A) * alpha * math.Min(math.Max(left, 0), 1))
		if strength == 0 {
			continue
		}
		row := p.img.Pix[p.img.PixOffset(shape.Rect.Min.X, y):]
		for x, covered := range shape.Pix[shape.PixOffset(shape.Rect.Min.X, y):][:shape.Rect.Dx()] {
			if covered > 0 {
				over(row[4*x:4*x+4:4*x+4], c, strength*uint32(covered)/255)
			}
		}
	}
}

// over paints a colour over one pixel, alpha of 255 parts.
func over(pixel []uint8, c color.NRGBA, alpha uint32) {
	rest := 255 - alpha
	pixel[0] = uint8((uint32(c.R)*alpha + uint32(pixel[0])*rest) / 255)
	pixel[1] = uint8((uint32(c.G)*alpha + uint32(pixel[1])*rest) / 255)
	pixel[2] = uint8((uint32(c.B)*alpha + uint32(pixel[2])*rest) / 255)
	pixel[3] = uint8(alpha + uint32(pixel[3])*rest/255)
}

// toneColor is a role's colour, thinned.
func toneColor(role fyne.ThemeColorName, alpha float64) color.NRGBA {
	c, ok := color.NRGBAModel.Convert(theme.Color(role)).(color.NRGBA)
	if !ok {
		return color.NRGBA{}
	}
	c.A = uint8(float64(c.A)*alpha + 0.5)
	return c
}

// smooth draws values as a curve through all of them that never goes above or below its two neighbours, from x0 on, step apart.
func smooth(values []float32, x0, step float32) []point {
	n := len(values)
	if n == 0 {
		return nil
	}
	if n == 1 {
		return []point{{x0, values[0]}, {x0 + step, values[0]}}
	}
	slopes := slopesOf(values)
	parts := min(max(int(step*2), 2), 24)
	line := make([]point, 0, (n-1)*parts+1)
	for i := range n - 1 {
		for k := range parts {
			t := float32(k) / float32(parts)
			line = append(line, point{x0 + (float32(i)+t)*step, hermite(values[i], values[i+1], slopes[i], slopes[i+1], t)})
		}
	}
	return append(line, point{x0 + float32(n-1)*step, values[n-1]})
}

// slopesOf are Fritsch and Carlson's: flat at each peak, and never so steep that the curve would overshoot.
func slopesOf(v []float32) []float32 {
	n := len(v)
	m := make([]float32, n)
	for i := 1; i < n-1; i++ {
		a, b := v[i]-v[i-1], v[i+1]-v[i]
		if a*b > 0 {
			m[i] = 2 * a * b / (a + b)
		}
	}
	m[0], m[n-1] = v[1]-v[0], v[n-1]-v[n-2]
	return m
}

func hermite(a, b, ma, mb, t float32) float32 {
	t2, t3 := t*t, t*t*t
	return (2*t3-3*t2+1)*a + (t3-2*t2+t)*ma + (3*t2-2*t3)*b + (t3-t2)*mb
}
