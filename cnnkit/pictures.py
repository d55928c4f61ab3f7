"""Pictures as networks and readers see them."""

from PIL import Image, ImageOps


def upright(image: Image.Image) -> Image.Image:
    """Bring a picture into RGB, turned as its camera says, on white where it is transparent."""
    image = ImageOps.exif_transpose(image)
    if image.has_transparency_data:
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image.convert("RGBA"))
    return image.convert("RGB")
