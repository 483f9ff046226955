namespace Mesh.DataPlane.Headers;

/// <summary>Envoy's <c>HeaderAppendAction</c>: what an addition does where the header is, or is not, there already.</summary>
internal enum HeaderAppendAction
{
    AppendIfExistsOrAdd,
    AddIfAbsent,
    OverwriteIfExistsOrAdd,
    OverwriteIfExists,
}
