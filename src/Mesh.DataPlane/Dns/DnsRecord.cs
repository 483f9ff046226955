using System.Net;

namespace Mesh.DataPlane.Dns;

/// <summary>An answer's record of a kind that a look-up of addresses uses.</summary>
/// <param name="Name">Whose it is.</param>
/// <param name="TimeToLive">How long it holds.</param>
/// <param name="Address">The address of an A or AAAA record.</param>
/// <param name="Target">The other name of a CNAME record.</param>
internal readonly record struct DnsRecord(string Name, TimeSpan TimeToLive, IPAddress? Address, string? Target);
