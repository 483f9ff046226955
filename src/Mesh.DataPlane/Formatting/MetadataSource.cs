using System.Text.Json.Nodes;

namespace Mesh.DataPlane.Formatting;

/// <summary>Finds what somebody has said of a request, its route, its cluster or its endpoint.</summary>
/// <param name="context">The request.</param>
/// <param name="ns">The namespace (<c>envoy.filters.http.rbac</c>, <c>istio</c>).</param>
/// <returns><see langword="null"/> when nothing is said.</returns>
internal delegate JsonObject? MetadataSource(in FormatContext context, string ns);
