namespace Mesh.EndToEnd.Tests.Lab;

/// <summary>Judges each answer by what was in force while its request was on its way.</summary>
internal interface IRequestTracker
{
    /// <summary>A request begins.</summary>
    int Begin(string target);

    /// <summary>Its answer is here.</summary>
    /// <returns>What is wrong with it, if anything.</returns>
    string? End(string target, string path, int token, string version);
}
