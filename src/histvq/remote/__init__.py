"""Files on other machines, by fsspec: read as local copies, and written whole or not at all."""

from histvq.remote.address import Address as Address
from histvq.remote.address import as_path as as_path
from histvq.remote.address import is_remote as is_remote
from histvq.remote.address import shown as shown
from histvq.remote.copying import Copies as Copies
from histvq.remote.copying import brought as brought
from histvq.remote.copying import copies as copies
from histvq.remote.listing import listed as listed
from histvq.remote.listing import names_at as names_at
from histvq.remote.listing import read_bytes as read_bytes
from histvq.remote.putting import remove as remove
from histvq.remote.putting import results_at as results_at
from histvq.remote.putting import worked_on as worked_on
from histvq.remote.putting import write_bytes as write_bytes
