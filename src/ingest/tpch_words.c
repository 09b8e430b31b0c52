/* Words of the tables of TPC-H, after its specification. */
#include "ingest/tpch_words.h"

#define WORDS(name, ...)                                    \
    static const char *const name##_list[] = {__VA_ARGS__}; \
    const struct tpch_words tpch_##name = {name##_list,     \
                                           sizeof(name##_list) / sizeof(name##_list[0])}

WORDS(colors, "almond", "antique", "aquamarine", "azure", "beige", "bisque", "black", "blanched",
      "blue", "blush", "brown", "burlywood", "burnished", "chartreuse", "chiffon", "chocolate",
      "coral", "cornflower", "cornsilk", "cream", "cyan", "dark", "deep", "dim", "dodger", "drab",
      "firebrick", "floral", "forest", "frosted", "gainsboro", "ghost", "goldenrod", "green",
      "grey", "honeydew", "hot", "indian", "ivory", "khaki", "lace", "lavender", "lawn", "lemon",
      "light", "lime", "linen", "magenta", "maroon", "medium", "metallic", "midnight", "mint",
      "misty", "moccasin", "navajo", "navy", "olive", "orange", "orchid", "pale", "papaya", "peach",
      "peru", "pink", "plum", "powder", "puff", "purple", "red", "rose", "rosy", "royal", "saddle",
      "salmon", "sandy", "seashell", "sienna", "sky", "slate", "smoke", "snow", "spring", "steel",
      "tan", "thistle", "tomato", "turquoise", "violet", "wheat", "white", "yellow");
WORDS(sizes, "STANDARD", "SMALL", "MEDIUM", "LARGE", "ECONOMY", "PROMO");
WORDS(finishes, "ANODIZED", "BURNISHED", "PLATED", "POLISHED", "BRUSHED");
WORDS(metals, "TIN", "NICKEL", "BRASS", "STEEL", "COPPER");
WORDS(boxes, "SM", "LG", "MED", "JUMBO", "WRAP");
WORDS(containers, "CASE", "BOX", "BAG", "JAR", "PKG", "PACK", "CAN", "DRUM");
WORDS(segments, "AUTOMOBILE", "BUILDING", "FURNITURE", "MACHINERY", "HOUSEHOLD");
WORDS(priorities, "1-URGENT", "2-HIGH", "3-MEDIUM", "4-NOT SPECIFIED", "5-LOW");
WORDS(instructions, "DELIVER IN PERSON", "COLLECT COD", "NONE", "TAKE BACK RETURN");
WORDS(modes, "REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB");
WORDS(regions, "AFRICA", "AMERICA", "ASIA", "EUROPE", "MIDDLE EAST");
WORDS(nations, "ALGERIA", "ARGENTINA", "BRAZIL", "CANADA", "EGYPT", "ETHIOPIA", "FRANCE", "GERMANY",
      "INDIA", "INDONESIA", "IRAN", "IRAQ", "JAPAN", "JORDAN", "KENYA", "MOROCCO", "MOZAMBIQUE",
      "PERU", "CHINA", "ROMANIA", "SAUDI ARABIA", "VIETNAM", "RUSSIA", "UNITED KINGDOM",
      "UNITED STATES");
WORDS(texts, "furiously", "carefully", "slyly", "quickly", "blithely", "daringly", "fluffily",
      "silent", "even", "special", "pending", "unusual", "express", "regular", "final", "ironic",
      "bold", "furious", "busy", "thin", "packages", "requests", "accounts", "deposits", "foxes",
      "ideas", "theodolites", "pinto beans", "instructions", "dependencies", "excuses", "platelets",
      "asymptotes", "courts", "dolphins", "sleep", "wake", "are", "cajole", "haggle", "nag", "use",
      "boost", "affix", "detect", "integrate", "about", "above", "according to", "across", "after",
      "against", "along", "among", "the", "to the", "never", "quiet");

/* Of the nations, in their order. */
const uint8_t tpch_region_of_nation[25] = {0, 1, 1, 1, 4, 0, 3, 3, 2, 2, 4, 4, 2,
                                           4, 0, 0, 0, 1, 2, 3, 4, 2, 3, 3, 1};
