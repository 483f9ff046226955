namespace Mesh.ControlPlane.Debug;

/// <summary>A page cannot answer what it is asked.</summary>
/// <param name="status">The status of HTTP.</param>
/// <param name="message">Why, and the way out.</param>
internal sealed class DebugQueryException(int status, string message) : Exception(message)
{
    public int Status => status;
}
