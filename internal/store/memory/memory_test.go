package memory_test

import (
	"testing"

	"github.com/chancery-auth/chancery/core/storetest"
	"github.com/chancery-auth/chancery/internal/store/memory"
)

func TestMemory(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Store { return memory.New() })
}
