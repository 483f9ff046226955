using Mesh.Identity;

namespace Mesh.DataPlane.Identity;

/// <summary>What a process knows of its own identity; nothing of it is secret.</summary>
/// <param name="Source">Where it comes from.</param>
/// <param name="Id">Who the workload is by its certificate; <see langword="null"/> without one, or when it says nothing of the kind.</param>
/// <param name="ValidFrom">From when on the certificate counts.</param>
/// <param name="ValidUntil">Until when.</param>
/// <param name="SerialNumber">The certificate's serial number in hexadecimal digits.</param>
/// <param name="LastError">What failed last, until it succeeds.</param>
internal sealed record IdentityStatus(string Source, SpiffeId? Id, DateTimeOffset? ValidFrom, DateTimeOffset? ValidUntil, string? SerialNumber, string? LastError);
