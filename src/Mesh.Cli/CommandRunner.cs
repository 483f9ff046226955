using Mesh.Xds.Validation;

namespace Mesh.Cli;

/// <summary>Runs what a command does, and says in a line why it could not be done.</summary>
internal static class CommandRunner
{
    public static Task<int> RunAsync(CliEnvironment environment, Func<Task> action) => RunAsync(environment, async () =>
    {
        await action().ConfigureAwait(false);
        return ExitCodes.Success;
    });

    public static async Task<int> RunAsync(CliEnvironment environment, Func<Task<int>> action)
    {
        try
        {
            return await action().ConfigureAwait(false);
        }
        catch (CommandException e)
        {
            environment.Error.WriteLine($"Error: {e.Message}");
            return e.ExitCode;
        }
        catch (OperationCanceledException)
        {
            return ExitCodes.Interrupted;
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException or NullReferenceException or ArgumentException)
        {
            // A server's answer that has not the shape it should have.
            environment.Error.WriteLine($"Error: the answer is not what this version of meshctl understands: {PrintableText.Of(e.Message)}; is the server of another version?");
            return ExitCodes.Failure;
        }
    }
}
