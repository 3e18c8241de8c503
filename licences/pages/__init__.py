"""The pages of this room; `blueprints` lists them, so that whoever needs the words of one does not load all."""
