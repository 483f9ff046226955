namespace Mesh.DataPlane.Matching;

/// <summary>The parts of the request line, which HTTP/2 writes as headers and Envoy matches as such.</summary>
internal enum PseudoHeader
{
    None,
    Path,
    Method,
    Authority,
    Scheme,
}
