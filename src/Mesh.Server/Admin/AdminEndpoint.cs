namespace Mesh.Server.Admin;

/// <summary>One of the admin's answers. Each is a class of its own; <see cref="AdminEndpoints"/> has them all.</summary>
/// <param name="path">Where it is, below the place that the admin is at.</param>
/// <param name="title">What it is, for the list of all.</param>
internal abstract class AdminEndpoint(string path, string title)
{
    public string Path { get; } = path;

    public string Title { get; } = title;

    /// <summary>Whether <c>POST</c> changes something.</summary>
    public virtual bool Changes => false;

    /// <summary>Whether it stands among the links of every page.</summary>
    public virtual bool IsPage => true;

    /// <summary>Answers <c>GET</c> and <c>HEAD</c>.</summary>
    public abstract Task GetAsync(AdminRequest request);

    /// <summary>Changes something, and answers what has become of it.</summary>
    public virtual Task PostAsync(AdminRequest request) => throw new NotSupportedException($"{Path} changes nothing.");
}
