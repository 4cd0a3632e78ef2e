package argon2id

func fastest() compressor { return compressGeneric }
