package store

import (
	"fmt"
	alias "example.com/util/log"
)

const Limit = 10

const (
	Red Color = iota
	Green
)

var counter, other = 0, 1

type Color int

// Index is an index.
type Index[T any] struct {
	Base
	Path  string
	items map[string]*Entry
}

type Reader interface {
	Read(p []byte) (n int, err error)
	fmt.Stringer
}

type Alias = Index[int]

func New(path string) *Index[int] {
	local := Limit
	return &Index[int]{Path: path, items: makeItems(local)}
}

// Search searches.
func (x *Index[T]) Search(q Query) ([]Hit, error) {
	defer alias.Printf("%s", q.Text)
	return x.scan(func(e *Entry) bool { return e.match(q) })
}

func (c Color) String() string { return fmt.Sprint(int(c)) }
