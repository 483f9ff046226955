namespace Mesh.ControlPlane.Security;

/// <summary>How an authority of the control plane's own making is kept.</summary>
/// <param name="Folder">Where it is remembered; <see langword="null"/>: nowhere, it ends with the process.</param>
/// <param name="RootLifetime">How long a root is valid.</param>
/// <param name="Announcement">How long a new root is trusted before it signs.</param>
/// <param name="Overlap">How long an old root is trusted after it last signed.</param>
/// <param name="Skew">How far clocks may differ.</param>
internal sealed record SelfSignedAuthorityOptions(string? Folder, TimeSpan RootLifetime, TimeSpan Announcement, TimeSpan Overlap, TimeSpan Skew);
