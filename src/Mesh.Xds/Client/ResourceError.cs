namespace Mesh.Xds.Client;

/// <summary>Why a watcher has no resource, or has only an old one.</summary>
internal sealed record ResourceError(ResourceErrorKind Kind, string Message);
