// SPDX-License-Identifier: Apache-2.0

// Checks an export of tiles, and proofs under its checkpoint, by the packages of Go's checksum
// database: golang.org/x/mod/sumdb/note and tlog.
//
// usage: main VKEY DIR [INCLUSION.tlog-proof ...] [OLD-CHECKPOINT CONSISTENCY.txt]
//
// A file that begins with "old " is a proof of consistency; the file before it is the checkpoint
// of the older tree. Prints the size of the tree.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func check(err error, what string) {
	if err != nil {
		fmt.Fprintln(os.Stderr, what+":", err)
		os.Exit(1)
	}
}

func read(path string) []byte {
	data, err := os.ReadFile(path)
	check(err, "read")
	return data
}

// directory reads tiles as C2SP tlog-tiles places them: without the height in the path.
type directory string

func (d directory) Height() int { return 8 }

func (d directory) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(string(d), path))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (d directory) SaveTiles(tiles []tlog.Tile, data [][]byte) {}

func open(message []byte, key string) tlog.Tree {
	verifier, err := note.NewVerifier(key)
	check(err, "verifier key")
	opened, err := note.Open(message, note.VerifierList(verifier))
	check(err, "note")
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err, "size")
	hash, err := tlog.ParseHash(lines[2])
	check(err, "root")
	return tlog.Tree{N: size, Hash: hash}
}

// entries are those of the bundles, in order.
func entries(dir string, size int64) [][]byte {
	var all [][]byte
	for n := int64(0); n*256 < size; n++ {
		width := size - n*256
		if width > 256 {
			width = 256
		}
		tile := tlog.Tile{H: 8, L: 0, N: n, W: int(width)}
		path := strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1)
		data := read(filepath.Join(dir, path))
		for len(data) > 0 {
			length := binary.BigEndian.Uint16(data)
			all = append(all, data[2:2+length])
			data = data[2+length:]
		}
	}
	return all
}

func hashes(lines []string) []tlog.Hash {
	var all []tlog.Hash
	for _, line := range lines {
		data, err := base64.StdEncoding.DecodeString(line)
		check(err, "hash")
		var hash tlog.Hash
		copy(hash[:], data)
		all = append(all, hash)
	}
	return all
}

func main() {
	key, dir := os.Args[1], os.Args[2]
	tree := open(read(filepath.Join(dir, "checkpoint")), key)
	reader := tlog.TileHashReader(tree, directory(dir))
	leaves := entries(dir, tree.N)
	if int64(len(leaves)) != tree.N {
		check(fmt.Errorf("%d, not %d", len(leaves), tree.N), "entries")
	}
	for n, leaf := range leaves {
		proof, err := tlog.ProveRecord(tree.N, int64(n), reader)
		check(err, "prove record")
		check(
			tlog.CheckRecord(proof, tree.N, tree.Hash, int64(n), tlog.RecordHash(leaf)),
			"check record")
	}
	for n := int64(1); n <= tree.N; n++ {
		old, err := tlog.TreeHash(n, reader)
		check(err, "older tree")
		proof, err := tlog.ProveTree(tree.N, n, reader)
		check(err, "prove tree")
		check(tlog.CheckTree(proof, tree.N, tree.Hash, n, old), "check tree")
	}
	for index, path := range os.Args[3:] {
		head, checkpoint, _ := bytes.Cut(read(path), []byte("\n\n"))
		lines := strings.Split(string(head), "\n")
		switch {
		case lines[0] == "c2sp.org/tlog-proof@v1":
			under := open(checkpoint, key)
			n, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
			check(err, "index")
			check(
				tlog.CheckRecord(
					hashes(lines[2:]), under.N, under.Hash, n, tlog.RecordHash(leaves[n])),
				path)
		case strings.HasPrefix(lines[0], "old "):
			under := open(checkpoint, key)
			old := open(read(os.Args[2+index]), key)
			check(
				tlog.CheckTree(hashes(lines[1:]), under.N, under.Hash, old.N, old.Hash), path)
		}
	}
	fmt.Println(tree.N)
}
