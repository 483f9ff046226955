namespace Mesh.ControlPlane.Security;

/// <summary>The files of a certificate authority cannot be used; the message names the file, the reason and the way out, and never what is in a key.</summary>
internal sealed class AuthorityException(string message, Exception? inner = null) : Exception(message, inner);
