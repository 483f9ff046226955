using Mesh.Xds.Validation;

namespace Mesh.Cli;

/// <summary>A command cannot do what it is asked: what, where, why, and the way out, in one line.</summary>
/// <param name="message">The line. What others have written in it is made harmless.</param>
/// <param name="exitCode">How the command ends.</param>
internal class CommandException(string message, int exitCode = ExitCodes.Failure) : Exception(PrintableText.Of(message))
{
    public int ExitCode => exitCode;
}
