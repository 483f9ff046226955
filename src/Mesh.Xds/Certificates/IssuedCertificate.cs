namespace Mesh.Xds.Certificates;

/// <summary>What an authority answers.</summary>
/// <param name="Chain">PEM: the workload's certificate, then the intermediates, each signed by the next; never a root.</param>
/// <param name="Roots">PEM: every root that is trusted now, which are two while one replaces the other.</param>
internal sealed record IssuedCertificate(string Chain, string Roots);
