"""The decks, one a chapter, and the code that draws their pictures."""
