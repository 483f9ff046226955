namespace Mesh.Xds.Serving;

/// <summary>One entry of <see cref="SentResources"/>; without a version: the client was told that the resource does not exist.</summary>
/// <param name="Version">The version.</param>
/// <param name="Resource">The resource, where it may have to be repeated.</param>
/// <param name="IsAssumed">The client brought it along from an earlier stream; this server has not sent it.</param>
internal readonly record struct SentResource(string? Version, AdsResource? Resource, bool IsAssumed = false);
