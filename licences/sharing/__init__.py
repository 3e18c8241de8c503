"""Share licences with other systems (共享服务, GB/T 36906-2018), and make copies annotated for one use (加注件)."""
