using Mesh.DataPlane.Formatting;

namespace Mesh.DataPlane.Telemetry.Tracing;

/// <summary>What a route says of the spans of its requests, before what its listener says.</summary>
/// <param name="Name">Their name (<c>decorator.operation</c>); <see langword="null"/> where it says none.</param>
/// <param name="Operation">The same, to be rendered (<c>tracing.operation</c>).</param>
/// <param name="CustomTags">Further tags.</param>
internal sealed record RouteTracing(string? Name, SubstitutionFormat? Operation, CustomTag[] CustomTags);
