"""What may stand around a number: currencies, percent and units."""

import unicodedata

_MONEY = (
    "USD EUR GBP CHF JPY CNY RMB INR AUD CAD NZD SEK NOK DKK PLN CZK HUF RON BGN BRL MXN ARS CLP COP ZAR RUB UAH KRW "
    "TRY ILS SGD HKD TWD THB IDR MYR PHP VND AED SAR EGP NGN Rs kr zł Kč Ft Fr"
)
_MEASURES = (
    "% ‰ ppm ppb pp bp bps ° °C °F °K K rpm dB pH "
    "ng µg μg mcg mg g kg t lb lbs oz nm µm μm um mm cm dm m km in inch ft yd mi nmi ly "
    "mm² cm² m² km² mm2 cm2 m2 km2 m^2 ha ac acres sqft ft² ft2 sqm mm³ cm³ m³ mm3 cm3 m3 cc µl μl ul ml mL cl dl l L "
    "hl gal pt qt ns µs μs us ms s sec secs min mins h hr hrs d day days wk week weeks month months yr yrs year years "
    "Hz kHz MHz GHz bit kbit Mbit Gbit kB KB MB GB TB PB KiB MiB GiB TiB kbps Mbps Gbps fps px dpi mp MP "
    "mV V kV mA mAh Ah Ω kΩ ohm mW W kW MW GW Wh kWh MWh J kJ MJ cal kcal eV N kN Pa hPa kPa MPa bar mbar psi atm mmHg "
    "m/s km/h kmh kph mph kn kmpl km/kg mpg bhp hp PS Nm mol mmol mg/dL mg/dl mg/l g/l g/dL mmol/L mmol/l kg/m2 kg/m² "
    "g/cm3 g/cm³ kg/m3 kg/m³ µg/m³ $/m² x "
    "k K M bn Bn mln mn Mio Mrd Tsd lakh crore"
)
CURRENCIES, UNITS = frozenset(_MONEY.split()), frozenset(_MEASURES.split())


def is_sign(text: str) -> bool:
    """Whether a text is a currency, as a sign such as $ or US$ or as one of the usual codes."""
    return text in CURRENCIES or (len(text) <= 3 and unicodedata.category(text[-1]) == "Sc")


def is_unit(text: str) -> bool:
    """Whether a text is a known unit, percent or a currency."""
    return text in UNITS or is_sign(text)


def is_affix(text: str) -> bool:
    """Whether a text behind a number may be its unit: a known one, or any words without digits."""
    return is_unit(text.strip()) or text.replace(" ", "").replace(".", "").isalpha()
