"""libvirt's XML of a domain: made from xend's records, and converted to xend's configuration."""

from xenprof.cli.virsh.xml.description import XmlError, vm_sxp
from xenprof.cli.virsh.xml.domain import domain_xml

__all__ = ["XmlError", "domain_xml", "vm_sxp"]
