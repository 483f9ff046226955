namespace Mesh.DataPlane.Identity;

/// <summary>What a source has brought cannot be used. The message names what and why, and never holds a key.</summary>
internal sealed class IdentityException(string message, Exception? inner = null) : Exception(message, inner);
