package pages

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mayTakeContext are the functions that code of the UI goroutine may hand a context: none of them blocks.
var mayTakeContext = []string{"Call", "Do", "SaveFile", "saveFile", "Contact", "SignIn", "Older", "New", "WithCancel", "WithoutCancel", "newListing", "maker", "m", "open",
	"restoreSnapshot", // opens a dialog
	"clock", "Search"} // run in goroutines of their own

// blocking are the packages whose calls may block.
var blocking = []string{"os", "net", "exec", "io", "ioutil"}

// TestNothingBlocksOnTheUIGoroutine reads the source of everything that runs on the UI goroutine. What blocks (requests, the keyring,
// files, other programs) is only called by functions that were given a context of their own, and those run in feed.Call's and
// feed.Do's goroutines: code of the UI goroutine has none but its page's, which it may hand to a few functions that do not block.
func TestNothingBlocksOnTheUIGoroutine(t *testing.T) {
	looked := 0
	for _, pkg := range []string{".", "../dialogs", "../shell", "../widgets", "../vm", "../model"} {
		err := filepath.WalkDir(pkg, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, path, nil, 0)
			if err != nil {
				return err
			}
			looked++
			for _, bad := range blockingCalls(file) {
				t.Errorf("%s: %s blocks; give it to feed.Call", files.Position(bad.pos), bad.what)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if looked < 50 {
		t.Fatalf("only %d files were looked at", looked)
	}
}

type blocked struct {
	pos  token.Pos
	what string
}

func blockingCalls(file *ast.File) []blocked {
	var found []blocked
	var stack []ast.Node
	ast.Inspect(file, func(n ast.Node) bool {
		if n == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		stack = append(stack, n)
		call, ok := n.(*ast.CallExpr)
		if !ok || ownContext(stack) {
			return true
		}
		name, of := calleeOf(call)
		if slices.Contains(blocking, of) {
			found = append(found, blocked{call.Pos(), of + "." + name})
		}
		if len(call.Args) > 0 && isContext(call.Args[0]) && !slices.Contains(mayTakeContext, name) && !strings.HasPrefix(name, "new") {
			found = append(found, blocked{call.Pos(), name})
		}
		return true
	})
	return found
}

// ownContext tells whether the innermost function was given a context and is no constructor of a page.
func ownContext(stack []ast.Node) bool {
	for _, n := range slices.Backward(stack) {
		var params *ast.FieldList
		name := ""
		switch f := n.(type) {
		case *ast.FuncLit:
			params = f.Type.Params
		case *ast.FuncDecl:
			params, name = f.Type.Params, f.Name.Name
		default:
			continue
		}
		for _, p := range params.List {
			s, ok := p.Type.(*ast.SelectorExpr)
			if ok && s.Sel.Name == "Context" && !strings.HasPrefix(name, "new") && name != "New" && !slices.Contains(mayTakeContext, name) {
				return true
			}
		}
		if _, literal := n.(*ast.FuncLit); !literal {
			return false
		}
	}
	return false
}

func calleeOf(call *ast.CallExpr) (name, of string) {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name, ""
	case *ast.SelectorExpr:
		if x, ok := f.X.(*ast.Ident); ok {
			return f.Sel.Name, x.Name
		}
		return f.Sel.Name, ""
	case *ast.IndexExpr: // a generic function with its type
		return calleeOf(&ast.CallExpr{Fun: f.X})
	}
	return "", ""
}

func isContext(e ast.Expr) bool {
	switch v := e.(type) {
	case *ast.Ident:
		return v.Name == "ctx"
	case *ast.SelectorExpr:
		return v.Sel.Name == "ctx"
	case *ast.CallExpr:
		name, of := calleeOf(v)
		return of == "context" && (name == "Background" || name == "TODO")
	}
	return false
}
