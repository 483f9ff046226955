namespace Mesh.Cli.Servers;

/// <summary>Nobody answers at a place.</summary>
internal sealed class UnreachableServerException(string message) : CommandException(message);
