package argon2id

func assembled() map[string]compressor { return nil }
