namespace Mesh.Xds.Settings;

/// <summary>A section of the configuration that a package of this application reads, and the options that it becomes.</summary>
/// <param name="Path">The section, such as <c>Mesh:ControlPlane</c>.</param>
/// <param name="Options">The type whose public properties are its keys.</param>
internal sealed record SettingsSection(string Path, Type Options);
