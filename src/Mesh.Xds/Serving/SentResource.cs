namespace Mesh.Xds.Serving;

/// <summary>One entry of <see cref="SentResources"/>; without a version: the client was told that the resource does not exist.</summary>
internal readonly record struct SentResource(string? Version, AdsResource? Resource);
