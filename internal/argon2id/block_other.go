//go:build !amd64 || purego

package argon2id

func fastest() compressor { return generic }
