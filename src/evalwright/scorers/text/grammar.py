"""Small words of English, German, Spanish, French, Italian and Portuguese: articles, pronouns, negations, numerals."""

from __future__ import annotations

from evalwright.scorers.text.lexicon import lexicon

FUNCTION_WORDS = lexicon("""
    a an the of to in on at for by with from as is are was were be been being am do does did has have had and or but if
    that this these those it its he she they them his her their we our us so then than there here also just too

    der die das den dem des ein eine einen einem einer eines und oder aber wenn dass ist sind waren sein wird werden
    wurde wurden hat haben hatte hatten er sie es wir ihr ihre ihren ihrem sein seine seinen von vom zu zum zur mit bei
    beim aus auf in im an am für als auch so dann hier da

    el la los las un una unos unas de del al a en con por para como es son era eran ser está están fue fueron ha han
    había y o pero si que este esta estos estas ese esa eso lo le les su sus se nos también así aquí

    le les un une des du de la au aux à en dans par pour avec sur comme est sont était étaient être été a ont avait et
    ou mais si que qui ce cet cette ces il elle ils elles on nous leur leurs sa ses se aussi ainsi ici

    il lo gli i uno una di del della dei delle da dal dalla nel nella con per su è sono era erano essere ha hanno e
    o ma se che questo questa questi queste lui lei loro suo sua suoi anche

    os as um uma do da dos das no na nos nas ao à pelo pela com para por como é são era eram ser foi foram tem têm e ou
    mas se que este esta isto ele ela eles elas seu sua também
""")
"""Words that carry little of a statement's content."""

GERMAN_WORDS = lexicon("der das dem den und ist sind ein eine einen einer nicht mit für wird werden auf von zu")
"""Words that tell German, where every noun has a capital."""

NEGATIONS = lexicon("""
    not no never none nobody nothing neither nor cannot without hardly don't doesn't didn't isn't aren't wasn't weren't
    can't couldn't won't wouldn't shouldn't hasn't haven't hadn't mustn't unless
    nicht kein keine keinen keinem keiner keines nie niemals niemand nichts ohne weder
    nunca jamás nadie nada ningún ninguna ninguno sin tampoco ni
    ne pas jamais personne rien aucun aucune sans ni
    non mai nessuno nessuna niente nulla senza né
    não nunca ninguém nada nenhum nenhuma sem nem
    不 没 未 无 沒 無
""")
"""Words that turn a statement into its contrary."""

_NUMERALS = (
    "zero one two three four five six seven eight nine ten eleven twelve",
    "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce",
    "zéro un deux trois quatre cinq six sept huit neuf dix onze douze",
    "zero uno due tre quattro cinque sei sette otto nove dieci undici dodici",
    "zero um dois três quatro cinco seis sete oito nove dez onze doze",
)
_AMBIGUOUS = lexicon("un uno um six onze once sei")
"""Words that are a numeral in one language and something else, or another numeral's spelling, in another."""

NUMERALS: dict[str, str] = {
    word: str(value)
    for line in _NUMERALS
    for value, word in enumerate(line.split())
    if word not in _AMBIGUOUS
} | {"six": "6", "thirteen": "13", "fourteen": "14", "fifteen": "15", "sixteen": "16", "seventeen": "17",
     "eighteen": "18", "nineteen": "19", "twenty": "20", "thirty": "30", "forty": "40", "fifty": "50", "sixty": "60",
     "seventy": "70", "eighty": "80", "ninety": "90", "zwanzig": "20", "dreißig": "30", "veinte": "20",
     "treinta": "30", "vingt": "20", "trente": "30"}  # fmt: skip
"""Written numbers as digits."""

_CONTRARIES = """
    rise:fall rose:fell risen:fallen rises:falls rising:falling increase:decrease increased:decreased
    increases:decreases increasing:decreasing grew:shrank grow:shrink gain:loss gained:lost higher:lower
    highest:lowest high:low most:least larger:smaller largest:smallest bigger:smaller longer:shorter
    longest:shortest older:younger oldest:youngest earlier:later early:late open:closed opened:closed opens:closes
    allowed:forbidden allowed:prohibited permitted:forbidden legal:illegal accepted:rejected accept:reject
    approved:rejected won:lost win:lose wins:loses success:failure succeeded:failed passed:failed guilty:innocent
    convicted:acquitted alive:dead born:died married:divorced hired:fired arrived:departed bought:sold buy:sell
    import:export north:south northern:southern east:west eastern:western inside:outside above:below
    maximum:minimum hot:cold warm:cold warmer:colder wet:dry strong:weak stronger:weaker faster:slower fast:slow
    cheap:expensive cheaper:dearer free:paid included:excluded includes:excludes true:false right:wrong
    safe:dangerous healthy:ill public:private best:worst better:worse improved:worsened begin:end began:ended
    start:stop started:stopped supports:opposes support:oppose supported:opposed agreed:disagreed always:never
    everybody:nobody same:different increase:fall increase:drop rose:dropped increased:fell increased:dropped
    gestiegen:gesunken steigt:sinkt höher:niedriger höchste:niedrigste offen:geschlossen erlaubt:verboten
    gewonnen:verloren größer:kleiner länger:kürzer subió:bajó aumentó:disminuyó mayor:menor abierto:cerrado
    permitido:prohibido ganó:perdió augmenté:diminué hausse:baisse ouvert:fermé autorisé:interdit gagné:perdu
"""
CONTRARIES: dict[str, frozenset[str]] = {}
"""Words with those that say the contrary of the same thing."""
for _pair in _CONTRARIES.split():
    _one, _other = _pair.split(":")
    CONTRARIES[_one] = CONTRARIES.get(_one, frozenset()) | {_other}
    CONTRARIES[_other] = CONTRARIES.get(_other, frozenset()) | {_one}
