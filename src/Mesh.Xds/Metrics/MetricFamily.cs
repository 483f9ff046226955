namespace Mesh.Xds.Metrics;

/// <summary>One metric with all its label sets: one name, one type, one help text.</summary>
internal abstract class MetricFamily
{
    private protected MetricFamily(MetricDescription description)
    {
        description.Check();
        Description = description;
    }

    public MetricDescription Description { get; }

    public string Name => Description.Name;

    public MetricType Type => Description.Type;

    /// <summary>Names of the labels, in the order of every cell's values.</summary>
    public string[] Labels => Description.Labels;

    /// <summary>Shows every label set's value as it stands now. Writers are never stopped: each number is right, two of them may be of different moments.</summary>
    public abstract void Collect(IMetricVisitor visitor);

    /// <summary>The family is made: what has no labels shows its zero at once.</summary>
    internal virtual void Begin()
    {
    }
}
