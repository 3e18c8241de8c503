"""Small applications of other people's libraries that ours is measured against."""
